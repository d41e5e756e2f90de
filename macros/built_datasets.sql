{% macro built_datasets(state) -%}
    {#- Names of the datasets whose relation of a state is there.

        One that failed before it came so far is left out, so that it keeps no other from being looked
        at. A folder that the variable `datasets` does not name counts as well, by its `*_sealed` model,
        but nothing waits for it: what it became is seen by the next build of models/outcomes. -#}
    {%- set names = [] -%}
    {%- set candidates = var('datasets') | list -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values() if node.resource_type == 'model' and node.config.meta.job -%}
            {%- set name = node.name | replace('_sealed', '') -%}
            {%- if name not in candidates -%}
                {%- do candidates.append(name) -%}
            {%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {%- for name in candidates -%}
        {#- a folder that was made before a state came up has no model of it -#}
        {%- if name in var('datasets') or 'model.' ~ project_name ~ '.' ~ name ~ '_' ~ state in graph.nodes -%}
            {%- set relation = dataset_relation(name, state) -%}
            {%- if not execute or flags.WHICH not in ('build', 'run', 'show') or load_relation(relation) -%}
                {%- do names.append(name) -%}
            {%- endif -%}
        {%- endif -%}
    {%- endfor -%}
    {{- return(names) -}}
{%- endmacro %}
