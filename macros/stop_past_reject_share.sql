{% macro stop_past_reject_share() -%}
    {#- After-commit hook of a `*_ingested` model: stops the build when too many records were
        rejected. The relation is committed by then, so the rejected ones can be looked up. -#}
    {%- if execute -%}
        {%- set result = run_query("
            with rejected as (
                select reason, sum(n_rows) as n_rows
                from " ~ this ~ " where outcome = 'rejected' group by all
            )
            select
                (select sum(n_rows) from rejected) as n_rejected,
                (select sum(n_rows) from " ~ this ~ " where outcome = 'read') as n_read,
                (select max_by(reason, n_rows) from rejected) as reason,
                (select max(n_rows) from rejected) as n_dominant
        ").rows[0] -%}
        {%- set n_rejected = result['n_rejected'] or 0 -%}
        {%- set share = var('max_reject_share') -%}
        {%- if n_rejected > share * (result['n_read'] or 0) -%}
            {%- do exceptions.raise_compiler_error(
                this.identifier ~ ": " ~ n_rejected ~ " of " ~ result['n_read'] ~ " records were rejected, "
                ~ "more than max_reject_share (" ~ share ~ ") allows; most often " ~ result['reason'] ~ " ("
                ~ result['n_dominant'] ~ "). See ingest_audit and " ~ this.identifier
                ~ " for reasons and line numbers; mend the file, or raise max_reject_share"
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
