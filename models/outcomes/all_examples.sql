with examples as (

    select
        null::varchar as dataset,
        null::varchar as example_id,
        null::varchar as split,
        null::varchar as label,
        null::varchar as messages,
        null::varchar as fingerprint,
        null::bigint as n_tokens
    where false
    {%- for dataset in built_datasets('examples') %}
        union all
        select
            '{{ dataset }}' as dataset,
            example_id,
            split,
            label,
            messages,
            fingerprint,
            n_tokens
        from {{ dataset_relation(dataset, 'examples') }}
    {%- endfor %}

)

select * from examples
