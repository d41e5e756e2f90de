with versions as (

    select * from {{ ref('current_versions') }}
    {%- if is_incremental() %}
        where lines_hash not in (select lines_hash from {{ this }})
    {%- endif %}

),

fresh as (

    select examples.*
    from {{ ref('all_examples') }} as examples
    semi join versions on examples.dataset = versions.dataset

),

hashed as (

    {{ line_hashes('fresh') }}

),

final as (

    select
        hashed.dataset,
        versions.lines_hash,
        hashed.fingerprint,
        hashed.prompt_hmac,
        hashed.label_hmac,
        hashed.n_tokens
    from hashed
    inner join versions on hashed.dataset = versions.dataset

)

select
    dataset,
    lines_hash,
    fingerprint,
    prompt_hmac,
    label_hmac,
    n_tokens
from final
