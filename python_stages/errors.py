"""Every error sealtune raises on purpose.

    SealtuneError                 the root; its text never holds a value of the data
    ├── ConfigError               a setting, variable, policy or template is wrong
    ├── SourceError               an input file cannot be read as what it claims to be
    ├── KeyFileError              a key is missing, wrong, or readable by others
    ├── VaultError                the encrypted warehouse cannot be opened
    ├── StageError                a stage failed on the rows it was given
    ├── SealError                 a sealed file was not written
    │   └── NotCheckedError       no PASS for these exact lines
    ├── TamperedError             a sealed file is not what was sealed; nothing was released
    ├── LedgerError               the ledger cannot be used
    │   ├── LockedError           another submitter is at work
    │   └── AmbiguousJobError     two things at the provider match one intent; a person decides
    └── BackendError              the provider refused or did not answer

A message says what failed, then what to do about it, in lower case, and quotes no value of the
data. What libraries raise may quote one: `value_free` replaces it by its type.
"""

from collections.abc import Iterator
from contextlib import contextmanager


class SealtuneError(Exception):
    """Root of all errors that sealtune raises on purpose."""


class ConfigError(SealtuneError):
    """A setting, variable, policy or template is wrong."""


class SourceError(SealtuneError):
    """An input file cannot be read as what it claims to be."""


class KeyFileError(SealtuneError):
    """A key is missing, wrong, or readable by others."""


class VaultError(SealtuneError):
    """The encrypted warehouse cannot be opened."""


class StageError(SealtuneError):
    """A stage failed on the rows it was given."""


class SealError(SealtuneError):
    """A sealed file was not written."""


class NotCheckedError(SealError):
    """The check stage holds no PASS for these exact lines."""


class TamperedError(SealtuneError):
    """A sealed file is not what was sealed; nothing was released."""


class LedgerError(SealtuneError):
    """The ledger cannot be used."""


class LockedError(LedgerError):
    """Another submitter is at work."""


class AmbiguousJobError(LedgerError):
    """Two things at the provider match one intent; a person decides."""


class BackendError(SealtuneError):
    """The provider refused or did not answer."""


@contextmanager
def value_free(stage: str) -> Iterator[None]:
    """Let sealtune's own errors through, and of every other one its type and nothing else.

    Raises:
        StageError: something raised an error whose text may hold a value.
    """
    try:
        yield
    except SealtuneError as error:
        raise error from None
    except Exception as error:  # noqa: BLE001 - whatever it is, its text may quote a row
        raise StageError(
            f"the {stage} stage failed with {type(error).__name__}; its message may hold data and "
            "is not shown"
        ) from None
