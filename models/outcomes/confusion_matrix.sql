with predictions as (

    select * from {{ ref('predictions') }}
    where task = 'classification'

),

complete as (

    -- a part of the answers may be biased
    select
        job_key,
        model_role
    from predictions
    group by all
    having bool_and(is_valid is not null)

),

final as (

    select
        predictions.job_key,
        predictions.dataset,
        predictions.model_role,
        predictions.label,
        predictions.predicted,
        count(*) as n_examples
    from predictions
    inner join complete
        on
            predictions.job_key = complete.job_key
            and predictions.model_role = complete.model_role
    group by all

)

select
    job_key,
    dataset,
    model_role,
    label,
    predicted,
    n_examples
from final
