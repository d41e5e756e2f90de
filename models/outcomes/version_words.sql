with versions as (

    select * from {{ ref('current_versions') }}
    {%- if is_incremental() %}
        where lines_hash not in (select lines_hash from {{ this }})
    {%- endif %}

),

texts as (

    select
        examples.dataset,
        versions.lines_hash,
        unnest(json_extract_string(examples.messages, '$[*].content')) as text
    from {{ ref('all_examples') }} as examples
    inner join versions on examples.dataset = versions.dataset

),

words as (

    select
        dataset,
        lines_hash,
        unnest(regexp_extract_all(lower(text), '\p{L}+')) as word
    from texts

),

counted as (

    -- each word is hashed once
    select
        dataset,
        lines_hash,
        word,
        count(*) as n_words
    from words
    group by all

),

final as (

    select
        dataset,
        lines_hash,
        ('0x' || keyed_hmac(dataset || '.word', word)[:8])::bigint % 64 as bucket,
        sum(n_words)::bigint as n_words
    from counted
    group by all

)

select
    dataset,
    lines_hash,
    bucket,
    n_words
from final
