{% macro refresh_jobs() -%}
    {#- Hook before `fine_tune_jobs`: asks every backend that a `*_sealed` model is configured for
        after its jobs. What goes wrong there is a warning. Nothing is asked in an --empty run. -#}
    {%- if execute and not flags.EMPTY -%}
        {%- set jobs = [] -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.job -%}
            {%- do jobs.append(node.config.meta.job) -%}
        {%- endfor -%}
        {%- do adapter.store_relation('sealtune', this, [], '', '', {'hook': 'refresh', 'jobs': jobs}) -%}
    {%- endif -%}
{%- endmacro %}
