with examples as (

    {{ chat_examples(readable(ref('tickets_scrubbed')), dataset='tickets') }}

)

select
    example_id,
    split,
    label,
    messages,
    n_tokens,
    fingerprint
from examples
