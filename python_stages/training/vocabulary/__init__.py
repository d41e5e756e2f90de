"""The shipped vocabulary, where it comes from (PROVENANCE.json), and the script that makes it."""
