{% macro print_failed_expectations() -%}
    {#- End of a run: name the expectations that failed in the `*_checked` models of this run. dbt's own
        line of a failing test gives only their number. -#}
    {%- if execute and not flags.EMPTY -%}
        {%- for result in results
            if result.status == 'success' and result.node.name.endswith('_checked') -%}
            {%- set node = result.node -%}
            {%- set relation = api.Relation.create(node.database, node.schema, node.alias) -%}
            {%- for row in run_query('select * from ' ~ relation ~ ' where not is_success').rows -%}
                {%- do log(
                    node.name ~ ': failed: ' ~ row['description'] ~ ' (' ~ row['n_failed'] ~ ' of '
                    ~ row['n_checked'] ~ ')',
                    info=true
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
