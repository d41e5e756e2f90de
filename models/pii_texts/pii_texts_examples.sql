with examples as (

    {{ chat_examples(
        readable(ref('pii_texts_scrubbed')), dataset='pii_texts', feedback=ref('pii_texts_feedback')
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
