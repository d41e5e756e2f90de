"""The same pool on a Ray cluster, where no machine but the workers' memory ever holds a plain text.

Ray puts messages into its object store, spills that to disk when it is full, and copies what tasks
print and raise into log files. So texts travel as AES-256-GCM under a key that is made for one
worker and sent to it under that worker's own public key (HPKE, RFC 9180); results come back under
the same key; names of tasks, logs and errors hold no text.

What remains for whoever runs the cluster:

- Every node needs this version of sealtune, with its extra `ray`.
- Ray believes whoever can reach its ports, and lets them run code. The encryption here keeps texts
  off disks and out of logs; it is no defence against somebody who takes a worker's place. Turn on
  TLS on every node and here: RAY_USE_TLS=1, RAY_TLS_SERVER_CERT, RAY_TLS_SERVER_KEY and
  RAY_TLS_CA_CERT (Ray's documentation, "TLS authentication").
"""

import logging
import secrets
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from python_stages.errors import ConfigError
from python_stages.scrub.pool import Item, Pool, Result, Work
from python_stages.scrub.workers import Desk, WorkerLostError, silence

_HPKE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
_INFO: Final = b"sealtune-scrub-ray-1"
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class RayPool:
    """On the actors of a Ray cluster, each of which holds one core.

    Attributes:
        address: the cluster, such as `10.0.0.1:6379`; None for the one that this machine is in.
        n_workers: actors at once; None for one on every core of the cluster.
    """

    address: str | None = None
    n_workers: int | None = None

    def map(self, items: Iterable[Item], work: Work[Item, Result]) -> Generator[Result, None, None]:
        """Yield the result of every item, in order.

        Raises:
            ConfigError: Ray is not installed, or there is no cluster at the address.
            StageError: an item failed, or its worker died too often.
        """
        with _connected(self.address) as ray:
            n_workers = self.n_workers or max(1, int(ray.cluster_resources().get("CPU", 1)))
            yield from Pool(partial(RayWorker, ray), n_workers).map(items, work)


class Tunnel:
    """Messages to and from one worker, encrypted; a message opens once, and in its place only.

    Args:
        key: 32 bytes that are used for nothing else.
        is_here: whether this is the end that asks; the other end answers.
    """

    def __init__(self, key: bytes, *, is_here: bool) -> None:
        self._cipher: Final = AESGCM(key)
        self._is_here: Final = is_here
        self._n_sealed = self._n_opened = 0

    def seal(self, message: bytes) -> bytes:
        """Encrypt the next message to the other end."""
        self._n_sealed += 1
        return self._cipher.encrypt(_nonce(self._n_sealed, self._is_here), message, None)

    def open(self, sealed: bytes) -> bytes:
        """Decrypt the next message from the other end.

        Raises:
            InvalidTag: it is not what the other end sealed, or not the next.
        """
        self._n_opened += 1
        return self._cipher.decrypt(_nonce(self._n_opened, not self._is_here), sealed, None)


def _nonce(number: int, is_here: bool) -> bytes:  # noqa: FBT001  # it says which end
    """Return 12 bytes that a key sees once: they say who sends, and how many were sent before."""
    return bytes([is_here]) + number.to_bytes(11, "big")


class RayDesk:
    """A `Desk` in an actor, behind a tunnel: what Ray keeps of it is encrypted."""

    def __init__(self) -> None:
        silence()  # Ray writes what is printed into a log file
        self._private_key: Final = X25519PrivateKey.generate()
        self._tunnel: Tunnel | None = None
        self._desk: Desk | None = None

    def introduce(self) -> tuple[bytes, str]:
        """Return the public key that this worker is to be sent its key under, and its version."""
        return self._private_key.public_key().public_bytes_raw(), version("sealtune")

    def answer(self, sealed: bytes, wrapped_key: bytes, sealed_work: bytes) -> bytes:
        """Answer an encrypted message.

        Args:
            sealed: the message.
            wrapped_key: the key under the public key, with the first message; else empty.
            sealed_work: the work under the key, with the first message; else empty.
        """
        if wrapped_key:
            key = _HPKE.decrypt(wrapped_key, self._private_key, _INFO)
            self._tunnel = Tunnel(key, is_here=False)
            self._desk = Desk(self._tunnel.open(sealed_work))
        if self._tunnel is None or self._desk is None:
            raise RuntimeError("the first message brought no key")
        return self._tunnel.seal(self._desk.answer(self._tunnel.open(sealed)))


class RayWorker:
    """An actor that holds a `RayDesk`; never restarted by Ray, as it would lack the key.

    Args:
        ray: the imported module, connected.
        work: the pickled work.
    """

    def __init__(self, ray: Any, work: bytes) -> None:
        self._ray: Final = ray
        options = {"num_cpus": 1, "max_restarts": 0, "max_task_retries": 0}
        self._actor: Final = ray.remote(RayDesk).options(**options).remote()
        self._work: Final = work
        self._tunnel: Tunnel | None = None

    def do(self, message: bytes) -> bytes:
        """Return what the desk answers."""
        try:
            wrapped_key = sealed_work = b""
            if self._tunnel is None:
                key = secrets.token_bytes(_KEY_BYTES)
                self._tunnel = Tunnel(key, is_here=True)
                wrapped_key = _HPKE.encrypt(key, self._public_key(), _INFO)
                sealed_work = self._tunnel.seal(self._work)
            call = self._actor.answer.remote(self._tunnel.seal(message), wrapped_key, sealed_work)
            return self._tunnel.open(self._ray.get(call))
        except ConfigError:
            raise
        except Exception as error:  # noqa: BLE001  # Ray's own, or a forged answer: never used
            lost = type(error).__name__
        raise WorkerLostError(lost)

    def close(self) -> None:
        """Kill the actor: it has nothing to tidy up."""
        with suppress(Exception):  # Ray is gone, and so is the actor
            self._ray.kill(self._actor)

    def _public_key(self) -> X25519PublicKey:
        raw, there = self._ray.get(self._actor.introduce.remote())
        here = version("sealtune")
        if there != here:
            raise ConfigError(
                f"a node of the Ray cluster runs sealtune {there} and this machine {here}: "
                "install the same version on every node, or the results would differ"
            )
        return X25519PublicKey.from_public_bytes(raw)


@contextmanager
def _connected(address: str | None) -> Iterator[Any]:
    """Connect to a cluster and leave it again; a connection that there is already stays.

    Raises:
        ConfigError: Ray is not installed, or there is no cluster at the address.
    """
    try:
        import ray  # noqa: PLC0415  # an optional extra
    except ImportError:
        raise ConfigError(
            "scrub_executor ray needs the extra `ray`: pip install 'sealtune[ray]'"
        ) from None
    if ray.is_initialized():
        yield ray
        return
    failure = ""
    try:
        ray.init(address=address or "auto", log_to_driver=False, logging_level=logging.ERROR)
    except Exception as error:  # noqa: BLE001  # Ray raises many kinds
        failure = type(error).__name__
    if failure:
        raise ConfigError(
            f"no Ray cluster answers at {address or 'this machine'} ({failure}): start one with "
            "`ray start --head`, or set ray_address"
        )
    try:
        yield ray
    finally:
        ray.shutdown()
