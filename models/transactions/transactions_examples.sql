with scrubbed as (

    select * from {{ ref('transactions_scrubbed') }}

),

examples as (

    {{ chat_examples('scrubbed', dataset='transactions') }}

)

select
    example_id,
    split,
    label,
    messages,
    n_tokens,
    fingerprint
from examples
