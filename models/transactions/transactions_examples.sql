with examples as (

    {{ chat_examples(
        readable(ref('transactions_scrubbed')), dataset='transactions', feedback=ref('transactions_feedback')
    ) }}

)

select
    example_id,
    split,
    label,
    messages,
    n_tokens,
    fingerprint
from examples
