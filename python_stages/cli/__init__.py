"""The `sealtune` command: thin, a function per command, a module per subject. `main` joins them."""
