"""The `sealtune` command: what dbt cannot do for you. Thin; one function per command.

Exit codes: 0 done, 1 refused or failed (one sentence on stderr says why and what to do), 2 usage.
"""

import typer

from python_stages.cli import audit as cli_audit
from python_stages.cli import build as cli_build
from python_stages.cli import generate as cli_generate
from python_stages.cli import init as cli_init
from python_stages.cli import jobs as cli_jobs
from python_stages.cli import keys as cli_keys
from python_stages.cli import new as cli_new
from python_stages.cli import pii as cli_pii
from python_stages.cli import predict as cli_predict
from python_stages.cli import promote as cli_promote
from python_stages.cli import serve as cli_serve
from python_stages.cli import site as cli_site
from python_stages.cli import trace as cli_trace
from python_stages.cli.sentences import sentences

app = typer.Typer(
    name="sealtune",
    help="Fine-tune on sensitive tables: keys, sealed files and synthetic data around `dbt build`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # a pretty traceback shows local variables, which are secrets
)
app.add_typer(cli_keys.keys_app, name="keys")
app.add_typer(cli_generate.generate_app, name="generate")
app.add_typer(cli_jobs.jobs_app, name="jobs")
app.add_typer(cli_audit.audit_app, name="audit")
app.command("watch")(cli_jobs.watch)


for command in (cli_keys.verify, cli_keys.unseal, cli_keys.reseal, cli_keys.shred):
    app.command()(command)
app.command(
    "build",
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)(sentences()(cli_build.build))
app.command("init")(sentences()(cli_init.init))
app.command("new")(sentences()(cli_new.new))
app.command("trace")(sentences()(cli_trace.trace))
app.command("predict")(sentences()(cli_predict.predict))
app.command("promote")(sentences()(cli_promote.promote))
app.command("serve")(sentences()(cli_serve.serve))
app.command("site")(sentences()(cli_site.site))
app.command("scan")(sentences()(cli_pii.scan))
app.command("scrub")(sentences()(cli_pii.scrub))
app.command("pii-eval")(sentences()(cli_pii.pii_eval))


if __name__ == "__main__":
    app()
