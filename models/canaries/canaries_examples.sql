with examples as (

    {{ chat_examples(
        readable(ref('canaries_scrubbed')), dataset='canaries', feedback=ref('canaries_feedback')
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
