{% macro check_settings() -%}
    {#- Start of a run: stop at a section under `meta` whose name is misspelled, and at differentially
        private noise that is asked for wrongly. -#}
    {%- if execute and flags.WHICH in ('build', 'run') -%}
        {%- set found = {} -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.package_name == project_name -%}
            {%- set sections = {} -%}
            {%- for name, told in node.config.meta.items() -%}
                {%- set told = told if told is mapping else {} -%}
                {%- set asked = {'noise': told.get('noise'), 'private_counts': told.get('private_counts')} -%}
                {#- what else stands there decides whether noise can be had: templates, labels -#}
                {%- if asked.values() | select('none') | list | length < 2 -%}
                    {%- do asked.update({'settings': told}) -%}
                {%- endif -%}
                {%- do sections.update({name: asked}) -%}
            {%- endfor -%}
            {%- do found.update({node.name: sections}) -%}
        {%- endfor -%}
        select check_settings('{{ tojson(found) | replace("'", "''") }}')
    {%- endif -%}
{%- endmacro %}
