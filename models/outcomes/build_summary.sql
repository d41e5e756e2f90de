with audit as (

    select
        dataset,
        (outcome <> 'read')::integer as step,
        outcome as state,
        reason as detail,
        n_rows
    from {{ ref('ingest_audit') }}

),

stages as (

    select * from audit
    where false
    {%- for dataset in built_datasets('sealed') %}
        union all by name
        {{ stage_counts(dataset) }}
    {%- endfor %}

),

final as (

    select * from audit
    union all by name
    select * from stages

)

select
    dataset,
    step,
    state,
    detail,
    n_rows
from final
order by dataset asc, step asc, state asc, n_rows desc
