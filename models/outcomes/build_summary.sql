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

    {%- for dataset in var('datasets') %}
    {{ stage_counts(dataset) }}
    {% if not loop.last %}union all{% endif %}
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
