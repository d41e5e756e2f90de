with audit as (

    select * from {{ ref('ingest_audit') }}

),

stages as (

    {{ stage_counts('transactions') }}

),

jobs as (

    select * from {{ ref('fine_tune_jobs') }}
    qualify row_number() over (partition by dataset order by updated_at desc) = 1

),

final as (

    select
        dataset,
        (outcome <> 'read')::integer as step,
        outcome as state,
        reason as detail,
        n_rows
    from audit

    union all

    select
        dataset,
        step,
        state,
        detail,
        n_rows
    from stages

    union all

    select
        dataset,
        9 as step,
        'job ' || lower(state) as state,
        concat_ws(
            ', ',
            backend,
            base_model,
            format('{:,} tokens an epoch', n_training_tokens),
            coalesce(format('about {:.2f} {}', estimated_cost, currency), 'price unknown')
        ) as detail,
        n_examples as n_rows
    from jobs

)

select
    dataset,
    step,
    state,
    detail,
    n_rows
from final
order by dataset asc, step asc, state asc, n_rows desc
