{%- set ingested = ref('transactions_ingested') -%}
{%- if execute -%}
    {%- set node = graph.nodes['model.' ~ project_name ~ '.transactions_ingested'] -%}
    {%- set rules = node.config.meta.ingest.columns -%}
    {#- transactions_ingested rejects every record of another category: none is lost by naming them -#}
    {#- a number lets DuckDB filter in the scan; where nothing is counted yet, only speed is lost -#}
    {%- if flags.WHICH in ('build', 'run') and load_relation(ingested) -%}
        {%- set n_kept = run_query('select ' ~ kept_count(ingested)).rows[0][0] -%}
    {%- endif -%}
{%- endif -%}
with drawn as (

    {{ stratified_sample(
        ref('stg_transactions'),
        stratum='merchant_category',
        key='transaction_id',
        columns=[
            'merchant_category', 'merchant', 'amount', 'currency', 'country', 'city', 'card_type',
            'transacted_at', 'customer_id',
        ],
        n_per_stratum=var('sample_per_class'),
        seed=var('sample_seed'),
        n_rows=(n_kept or 0) | int,
        strata=rules.merchant_category.accepted_values if rules else [],
    ) }}

),

final as (

    {{ with_row_ids(
        'drawn',
        dataset='transactions',
        columns=[
            'merchant_category', 'merchant', 'amount', 'currency', 'country', 'city', 'card_type',
            'transacted_at',
        ],
        subject='customer_id',
    ) }}

)

select * from final
