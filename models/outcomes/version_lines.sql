with versions as (

    select * from {{ ref('current_versions') }}
    {%- if is_incremental() %}
        where lines_hash not in (select lines_hash from {{ this }})
    {%- endif %}

),

hashed as (

    {{ line_hashes("(select * from " ~ ref('all_examples') ~ " semi join versions using (dataset)) as examples") }}

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
