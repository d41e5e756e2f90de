{#- the graph is known when a model is run, not when it is parsed -#}
with settings as (

    select
        null::varchar as dataset,
        null::varchar as job,
        null::varchar as evaluate
    where false
    {%- for dataset in built_datasets('sealed') %}
        {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ dataset ~ '_sealed') if execute -%}
        {%- set meta = node.config.meta if node else {} %}
        union all
        select
            '{{ dataset }}' as dataset,
            '{{ tojson(meta.get('job', {})) | replace("'", "''") }}' as job,
            '{{ tojson(meta.get('evaluate', {})) | replace("'", "''") }}' as evaluate
    {%- endfor %}

)

select * from settings
