{% macro print_summary() -%}
    {#- End of a run: print what happened to every row, as build_summary has it, when it was built; and
        how to see it, where a dataset that failed kept dbt from building it. -#}
    {%- if execute and results | selectattr('node.name', 'equalto', 'build_summary')
            | selectattr('status', 'equalto', 'skipped') | list -%}
        {%- do log(
            'a dataset failed, so models/outcomes were skipped; the others are as they should be. '
            ~ 'Run dbt build -s outcomes to see what became of them',
            info=true
        ) -%}
    {%- endif -%}
    {%- if execute and flags.WHICH in ('build', 'run') and not flags.EMPTY
        and results | selectattr('node.name', 'equalto', 'build_summary')
            | selectattr('status', 'equalto', 'success') | list -%}
        {%- set node = graph.nodes['model.' ~ project_name ~ '.build_summary'] -%}
        {%- set relation = api.Relation.create(node.database, node.schema, node.name) -%}
        {%- for row in run_query('select * from ' ~ relation).rows -%}
            {%- do log(
                '%-14s %-20s %10s  %s' | format(
                    row['dataset'], row['state'], '{:,}'.format(row['n_rows'] | int), row['detail'] or ''
                ),
                info=true
            ) -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}
