{% macro sealed_settings(section) -%}
    {#- The job of every dataset that is sealed, and one more section beside `job` in the config of its
        `*_sealed` model, both as JSON: columns dataset, job, and that section's name.

        The graph is known when a model is run, not when it is parsed. -#}
    select
        null::varchar as dataset,
        null::varchar as job,
        null::varchar as {{ section }}
    where false
    {%- for dataset in built_datasets('sealed') %}
        {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ dataset ~ '_sealed') if execute -%}
        {%- set meta = node.config.meta if node else {} %}
        union all
        select
            '{{ dataset }}' as dataset,
            '{{ tojson(meta.get('job', {})) | replace("'", "''") }}' as job,
            '{{ tojson(meta.get(section, {})) | replace("'", "''") }}' as {{ section }}
    {%- endfor %}
{%- endmacro %}
