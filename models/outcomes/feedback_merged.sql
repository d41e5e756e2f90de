with feedback as (

    select
        null::varchar as dataset,
        null::varchar as example_id,
        null::varchar as outcome,
        null::varchar as reason,
        null::varchar as corrected_by_hmac,
        null::timestamptz as corrected_at,
        null::varchar as file_name,
        null::bigint as line_number
    where false
    {%- for dataset in built_datasets('feedback') %}
        union all
        select
            '{{ dataset }}' as dataset,
            example_id,
            outcome,
            reason,
            corrected_by_hmac,
            corrected_at,
            file_name,
            line_number
        from {{ dataset_relation(dataset, 'feedback') }}
    {%- endfor %}

)

select * from feedback
