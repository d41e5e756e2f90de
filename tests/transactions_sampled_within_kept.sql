-- fails with one row when more rows were drawn than records were kept
select
    count(*) as n_sampled,
    {{ kept_count(ref('transactions_ingested')) }} as n_kept
from {{ ref('transactions_sampled') }}
having n_sampled > n_kept
