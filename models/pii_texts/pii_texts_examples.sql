with examples as (

    {{ chat_examples(readable(ref('pii_texts_scrubbed')), dataset='pii_texts') }}

)

select
    example_id,
    split,
    label,
    messages,
    n_tokens,
    fingerprint
from examples
