with scrubbed as (

    select * from {{ ref('transactions_scrubbed') }}

),

readable as (

    -- build_summary says how many are left out
    select * from scrubbed
    where n_unreadable = 0

),

examples as (

    {{ chat_examples('readable', dataset='transactions') }}

)

select
    example_id,
    split,
    label,
    messages,
    n_tokens,
    fingerprint
from examples
