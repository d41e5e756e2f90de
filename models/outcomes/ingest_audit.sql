with ingested as (

    select
        null::varchar as dataset,
        null::varchar as outcome,
        null::varchar as reason,
        null::bigint as n_rows
    where false
    {%- for dataset in built_datasets('ingested') %}
        union all
        select
            dataset,
            outcome,
            reason,
            n_rows
        from {{ dataset_relation(dataset, 'ingested') }}
    {%- endfor %}

),

final as (

    select
        dataset,
        outcome,
        reason,
        sum(n_rows)::bigint as n_rows
    from ingested
    group by all

)

select
    dataset,
    outcome,
    reason,
    n_rows
from final
