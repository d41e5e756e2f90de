with versions as (

    select * from {{ ref('current_versions') }}
    {%- if is_incremental() %}
        where lines_hash not in (select lines_hash from {{ this }})
    {%- endif %}

),

final as (

    select
        examples.dataset,
        versions.lines_hash,
        examples.fingerprint,
        keyed_hmac(
            examples.dataset || '.prompt', from_json(examples.messages, '["JSON"]')[:-2]::varchar
        ) as prompt_hmac,
        keyed_hmac(examples.dataset || '.label', examples.label) as label_hmac,
        examples.n_tokens
    from {{ ref('all_examples') }} as examples
    inner join versions on examples.dataset = versions.dataset

)

select
    dataset,
    lines_hash,
    fingerprint,
    prompt_hmac,
    label_hmac,
    n_tokens
from final
