with examples as (

    {{ chat_examples(
        readable(ref('legal_scrubbed')), dataset='legal', feedback=ref('legal_feedback')
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
