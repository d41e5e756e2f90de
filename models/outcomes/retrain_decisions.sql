-- the submit hooks have written the ledger by then
{%- for dataset in var('datasets') %}
-- depends_on {{ ref(dataset ~ '_sealed') }}
{%- endfor %}
with decisions as (

    select * from query(decisions_sql())

),

final as (

    select
        dataset,
        dataset_fingerprint,
        job_key,
        is_retrained,
        reason,
        drift_psi,
        n_feedback,
        changed_share,
        decided_at
    from decisions

)

select * from final
