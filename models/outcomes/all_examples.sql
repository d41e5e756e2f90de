{%- for dataset in var('datasets') %}
    select
        '{{ dataset }}' as dataset,
        example_id,
        split,
        label,
        messages,
        fingerprint
    from {{ ref(dataset ~ '_examples') }}
    {% if not loop.last %}union all{% endif %}
{%- endfor %}
