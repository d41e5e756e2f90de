-- the submit hooks have written the ledger by then
{%- for dataset in var('datasets') %}
-- depends_on {{ ref(dataset ~ '_sealed') }}
{%- endfor %}
with ledger as (

    select * from query(ledger_sql())

),

final as (

    select
        job_key,
        dataset,
        state,
        backend,
        base_url,
        base_model,
        hyperparameters,
        seed,
        n_examples,
        n_training_tokens,
        n_billed_tokens,
        n_trained_tokens,
        estimated_cost,
        currency,
        job_id,
        fine_tuned_model,
        outcome,
        error_code,
        parked_reason,
        dataset_fingerprint,
        parent_key,
        created_at,
        updated_at
    from ledger

)

select * from final
