"""The commands about keys and sealed files: `sealtune keys …`, verify, unseal, reseal, shred."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from python_stages import keys, settings
from python_stages.cli.as_json import AsJson, print_json, report
from python_stages.cli.sentences import sentences
from python_stages.errors import KeyFileError, SealError
from python_stages.keys import datasets as dataset_keys
from python_stages.keys import providers as key_providers

if TYPE_CHECKING:
    from python_stages.seal import Left, SealedFile

keys_app = typer.Typer(no_args_is_help=True, help="Make, show, move, rotate and exchange keys.")

SealedPath = Annotated[Path, typer.Argument(help="A .sealed file.", exists=True, dir_okay=False)]
_SEALED_FOLDERS = ("sealed", "reversal")
Dataset = Annotated[str, typer.Argument(help="Name of a dataset, such as transactions.")]


@keys_app.command("init")
@sentences()
def keys_init(*, as_json: AsJson = False) -> None:
    """Make the keys, outside the project; does nothing where they exist.

    Example: sealtune keys init
    """
    folder = settings.keys_folder()
    existed = folder.exists()
    keys.create(folder, project=Path.cwd())
    report(
        {"folder": folder, "is_new": not existed},
        f"{'the keys are in' if existed else 'made keys in'} {folder}",
        "keep a copy: without them neither the vault nor a sealed file opens",
        "leave datasets/ out of it: what `sealtune shred` destroys should be in no copy",
        as_json=as_json,
    )


@keys_app.command("show")
@sentences()
def keys_show(*, as_json: AsJson = False) -> None:
    """Print the public keys, yours and those of recipients and signers, and where keys are kept.

    Example: sealtune keys show
    """
    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    providers = key_providers.load_providers(ring.folder)
    if as_json:
        print_json(_public(ring, providers))
        return
    lines = [f"keys folder  {ring.folder}"]
    retired = [slot for slot in sorted(providers.words) if slot not in key_providers.KINDS]
    lines += [
        f"kept in      {' '.join(providers.words_of(slot))}  {slot}"
        for slot in (*key_providers.KINDS, *retired)
    ]
    lines += [f"sealed for   {one.key_id}  {one.name}" for one in ring.recipients()]
    lines += [f"believed     {one.key_id}  {one.name}" for one in ring.signers()]
    lines += [f"dataset      {key_id}  {name}" for name, key_id in dataset_keys.listed(ring.folder)]
    for who, line in (("seal for you", _identity_line), ("believe your signature", _signer_line)):
        lines += ["", f"hand this to those who shall {who}:", line(ring)]
    typer.echo("\n".join(lines))


@keys_app.command("add-recipient")
@sentences()
def keys_add_recipient(
    name: Annotated[str, typer.Argument(help="What to call the recipient: a lower-case word.")],
    key: Annotated[
        typer.FileText, typer.Argument(help="File with the recipient's line, or - for stdin.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Seal for one more recipient, from the next sealing on.

    Example: sealtune keys add-recipient auditor auditor.pub
    """
    added = keys.add_recipient(settings.keys_folder(), name, key.read())
    report(
        {"name": added.name, "key_id": added.key_id},
        f"files are now sealed for {added.name} ({added.key_id}) too",
        f"to open them, they also need `sealtune keys hand-over DATASET {added.name}`",
        as_json=as_json,
    )


@keys_app.command("add-signer")
@sentences()
def keys_add_signer(
    name: Annotated[str, typer.Argument(help="What to call the signer: a lower-case word.")],
    key: Annotated[
        typer.FileText, typer.Argument(help="File with the signer's line, or - for stdin.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Believe one more signer's sealed files.

    Example: sealtune keys add-signer build-machine build-machine.pub
    """
    added = keys.add_signer(settings.keys_folder(), name, key.read())
    report(
        {"name": added.name, "key_id": added.key_id},
        f"files signed by {added.name} ({added.key_id}) are now believed",
        as_json=as_json,
    )


@keys_app.command("hand-over")
@sentences()
def keys_hand_over(
    dataset: Dataset,
    recipient: Annotated[str, typer.Argument(help="Name of a recipient, from `keys show`.")],
) -> None:
    """Print the line that lets a recipient open a dataset's files; shredding cannot take it back.

    Example: sealtune keys hand-over transactions auditor
    """
    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    found = [one for one in ring.recipients() if one.name == recipient]
    if not found:
        raise KeyFileError("there is no recipient of that name: see `sealtune keys show`")
    typer.echo(dataset_keys.hand_over(ring.folder, dataset, found[0].key_id, found[0].public_key))


@keys_app.command("receive")
@sentences()
def keys_receive(
    line: Annotated[
        typer.FileText, typer.Argument(help="File with the line handed over, or - for stdin.")
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Keep the key of somebody's dataset, so that its files open here.

    Example: sealtune keys receive transactions.grant
    """
    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    received = dataset_keys.receive(ring.folder, line.read(), ring.identities())
    said = f"files under the dataset key {received} now open here"
    report({"key_id": received}, said, as_json=as_json)


@keys_app.command("open-field")
@sentences()
def keys_open_field(
    dataset: Dataset,
    field: Annotated[str, typer.Argument(help="Column that `encrypt_field` was told.")],
    tokens: Annotated[
        typer.FileText, typer.Argument(help="File with a token a line, or - for stdin.")
    ],
) -> None:
    """Print the cells of tokens that `encrypt_field` made, a line each, as JSON texts.

    Example: sealtune keys open-field transactions customer_id tokens.txt
    """
    from python_stages.keys.fields import open_tokens

    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    found = dataset_keys.candidates(ring.folder, dataset)
    lines = (line.rstrip("\n") for line in tokens)
    for cell in open_tokens(lines, found, dataset, field):
        typer.echo(json.dumps(cell, ensure_ascii=False))


@keys_app.command("move", context_settings={"ignore_unknown_options": True})
@sentences()
def keys_move(
    kind: Annotated[str, typer.Argument(help="vault, hmac, signing or identity.")],
    place: Annotated[
        list[str],
        typer.Argument(
            help="file:, file:/PATH, env:NAME, cmd: ARGUMENT..., keyring:SERVICE/NAME, aws-kms:KEY"
        ),
    ],
    *,
    as_json: AsJson = False,
) -> None:
    """Keep a private key elsewhere; env: and cmd: must hold it already.

    Example: sealtune keys move identity keyring:sealtune/identity
    """
    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    if kind not in key_providers.KINDS:
        raise KeyFileError(f"there is no {kind} key to move: {', '.join(key_providers.KINDS)}")
    key_providers.load_providers(ring.folder).move(kind, tuple(place))
    where = " ".join(place)
    report({"key": kind, "kept_in": where}, f"the {kind} key is now in {where}", as_json=as_json)


@keys_app.command("rotate")
@sentences()
def keys_rotate(*, as_json: AsJson = False) -> None:
    """Make a new identity and signing key; the old ones go on opening and being believed.

    Example: sealtune keys rotate
    """
    from python_stages.keys import rotation as key_rotation

    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    done = key_rotation.rotate(ring)
    report(
        asdict(done),
        f"identity  {done.old_identity} -> {done.new_identity}",
        f"signer    {done.old_signer} -> {done.new_signer}",
        "hand out the new public keys (`sealtune keys show`), then run `sealtune reseal`",
        "then identities/ and signers/retired-*.pub may go, unless copies shall still open",
        as_json=as_json,
    )


@sentences()
def verify(path: SealedPath, *, as_json: AsJson = False) -> None:
    """Check that a sealed file is, to the byte, what a trusted signer sealed; opens nothing.

    Example: sealtune verify vault/sealed/transactions/train-*.sealed
    """
    from python_stages import seal

    manifest = seal.verify(path.absolute(), keys=keys.load(settings.keys_folder()))
    if as_json:
        print_json(asdict(manifest))
        return
    typer.echo(
        f"ok: {manifest.dataset}/{manifest.split}, {manifest.n_rows:,} lines, "
        f"{manifest.n_bytes:,} bytes, sealed for {len(manifest.recipients)} recipient(s)"
    )


@sentences()
def unseal(
    path: SealedPath,
    out: Annotated[
        Path, typer.Option(help="New file for the plaintext, or - for stdout.", show_default=False)
    ],
) -> None:
    """Open a sealed file, once all of it is verified.

    Example: sealtune unseal vault/sealed/transactions/train-*.sealed --out - | head -1
    """
    from python_stages import seal

    ring = keys.load(settings.keys_folder())
    target = sys.stdout.buffer if str(out) == "-" else out.absolute()
    manifest = seal.unseal(path.absolute(), target, keys=ring)
    typer.echo(f"released {manifest.n_rows:,} lines", err=True)


@sentences()
def reseal(
    dataset: Annotated[
        str | None, typer.Argument(help="Name of a dataset [default: all]", show_default=False)
    ] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """Seal every sealed file anew for the keys and recipients of today; lines stay what they are.

    Example: sealtune reseal transactions
    """
    from python_stages import seal

    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    sealed, reversal = (settings.vault_folder() / name for name in _SEALED_FOLDERS)
    n_datasets = 0
    done: list[SealedFile | Left] = []
    # a reversal map is for its owner alone, whoever else files are sealed for
    for folder, for_whom in ((sealed, ring), (reversal, keys.OwnerRing(ring.folder))):
        for name in seal.sealed_datasets(folder):
            if dataset in {None, name}:
                n_datasets += 1
                for one in seal.reseal(folder, name, keys=for_whom):
                    done.append(one)
                    if not as_json:
                        _tell_resealed(one)
    if dataset and not n_datasets:
        raise SealError(f"there is no sealed file of {dataset}: look for its name in {sealed}")
    if as_json:
        print_json([_resealed(one) for one in done])
    if n_left := sum(isinstance(one, seal.Left) for one in done):
        raise SealError(f"{n_left} sealed file(s) were left as they are; the reasons stand above")


@sentences()
def shred(
    dataset: Dataset,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Destroy a dataset's own key and its sealed files, for everybody and for good.

    Example: sealtune shred transactions
    """
    from python_stages import shred as shredding

    ring = keys.load(settings.keys_folder(), project=Path.cwd())
    if not yes:
        question = f"destroy the key of {dataset}? no sealed file of it will open"
        typer.confirm(question, abort=True, err=as_json)
    sealed, reversal = (settings.vault_folder() / name for name in _SEALED_FOLDERS)
    proof, statement = shredding.shred(sealed, dataset, keys=ring, beside=[reversal])
    if as_json:
        print_json({"proof": proof, **asdict(statement)})
        return
    typer.echo(f"shredded {len(statement.files)} file(s) of {dataset}; the proof is {proof}")
    typer.echo("rows of it are still in the warehouse, where the vault key opens them:")
    typer.echo(f"  dbt run-operation drop_dataset --args '{{dataset: {dataset}}}'")
    if statement.handed_to:
        typer.echo(f"handed the key, may have kept it: {', '.join(statement.handed_to)}")
    if statement.still_open:
        recipients = sorted({key for one in statement.still_open for key in one.recipients})
        typer.echo(
            f"{len(statement.still_open)} file(s) were of format version 1: a copy of one, if "
            f"there is any, still opens for {', '.join(recipients)}"
        )


def _tell_resealed(done: "SealedFile | Left") -> None:
    """Say what became of a file."""
    found = _resealed(done)
    name = f"{done.path.parent.name}/{done.path.name}"
    if reason := found["left_because"]:
        typer.echo(f"left      {name}: {reason}", err=True)
    else:
        typer.echo(f"{'resealed ' if found['is_new'] else 'unchanged'} {name}")


def _resealed(done: "SealedFile | Left") -> dict[str, Any]:
    """Return what became of a file, for scripts."""
    from python_stages.seal import Left

    if isinstance(done, Left):
        return {"path": done.path, "is_new": False, "left_because": done.reason}
    return {"path": done.path, "is_new": done.is_new, "left_because": None}


def _public(ring: keys.KeyRing, providers: key_providers.Providers) -> dict[str, Any]:
    """Return what `keys show` tells, for scripts."""
    slots = dict.fromkeys((*key_providers.KINDS, *sorted(providers.words)))
    return {
        "folder": ring.folder,
        "kept_in": {slot: " ".join(providers.words_of(slot)) for slot in slots},
        "recipients": [{"key_id": one.key_id, "name": one.name} for one in ring.recipients()],
        "signers": [{"key_id": one.key_id, "name": one.name} for one in ring.signers()],
        "datasets": [
            {"key_id": key_id, "name": name} for name, key_id in dataset_keys.listed(ring.folder)
        ],
        "identity": _identity_line(ring),
        "signer": _signer_line(ring),
    }


def _identity_line(ring: keys.KeyRing) -> str:
    return _or_reason(ring.public_recipient)


def _signer_line(ring: keys.KeyRing) -> str:
    return _or_reason(ring.public_signer)


def _or_reason(ask: Callable[[], str]) -> str:
    """Return a public key, or in brackets why it cannot be told: its private half is elsewhere."""
    try:
        return ask()
    except KeyFileError as error:
        return f"({error})"
