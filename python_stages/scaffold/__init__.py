"""A folder for a dataset that somebody brings: read its file, propose, write. And a new project.

Arrows point down this list, never up.

    project.py    a new project: this repository's own folders, from the wheel or from a checkout
    write.py      the files of a folder, from templates/
    propose.py    what each column is, and what the model shall learn, from what was found
    words.py      what words of a column's name say of it
    profile.py    what is in a file, column by column, in counts

Nothing of a value leaves profile.py.
"""

from python_stages.scaffold.project import lay_out
from python_stages.scaffold.propose import Proposal, propose
from python_stages.scaffold.write import new_folder, write_folder

__all__ = ["Proposal", "lay_out", "new_folder", "propose", "write_folder"]
