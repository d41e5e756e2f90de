with ingested as (

    select * from {{ ref('transactions_ingested') }}

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
