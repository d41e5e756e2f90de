with summary as (

    select
        dataset,
        state as measure,
        sum(n_rows)::double as value
    from {{ ref('build_summary') }}
    group by all

),

jobs as (

    select
        job_key,
        row_number() over (partition by dataset order by created_at desc, job_key asc) as age_rank
    from {{ ref('fine_tune_jobs') }}

),

scores as (

    select
        evaluations.dataset,
        'tuned ' || evaluations.metric as measure,
        evaluations.value
    from {{ ref('evaluations') }} as evaluations
    inner join jobs on evaluations.job_key = jobs.job_key
    where
        jobs.age_rank = 1
        and evaluations.model_role = 'tuned'
        and evaluations.compared_with is null
        and evaluations.value is not null

),

final as (

    select * from summary
    union all by name
    select * from scores

)

select
    '{{ run_started_at }}'::timestamptz as built_at,
    '{{ invocation_id }}' as invocation_id,
    dataset,
    measure,
    value
from final
