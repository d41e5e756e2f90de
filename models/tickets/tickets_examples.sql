with examples as (

    {{ chat_examples(
        readable(ref('tickets_scrubbed')), dataset='tickets', feedback=ref('tickets_feedback')
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
