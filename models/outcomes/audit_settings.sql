{#- the graph is known when a model is run, not when it is parsed -#}
{%- for dataset in var('datasets') %}
    {%- set node = graph.nodes.get('model.' ~ project_name ~ '.' ~ dataset ~ '_sealed') if execute -%}
    {%- set meta = node.config.meta if node else {} %}
    -- the submit hook has written the ledger by then: depends_on {{ ref(dataset ~ '_sealed') }}
    select
        '{{ dataset }}' as dataset,
        '{{ tojson(meta.get('job', {})) | replace("'", "''") }}' as job,
        '{{ tojson(meta.get('audit', {})) | replace("'", "''") }}' as audit
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
