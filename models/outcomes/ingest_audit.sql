with ingested as (

    {%- for dataset in var('datasets') %}
    select * from {{ ref(dataset ~ '_ingested') }}
    {% if not loop.last %}union all by name{% endif %}
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
