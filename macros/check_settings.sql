{% macro check_settings() -%}
    {#- Start of a run: stop at a section under `meta` whose name is misspelled. -#}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set found = {} -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.package_name == project_name -%}
            {%- do found.update({node.name: node.config.meta.keys() | list}) -%}
        {%- endfor -%}
        select check_settings('{{ tojson(found) | replace("'", "''") }}')
    {%- endif -%}
{%- endmacro %}
