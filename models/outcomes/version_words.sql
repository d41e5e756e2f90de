with versions as (

    select * from {{ ref('current_versions') }}
    {%- if is_incremental() %}
        where lines_hash not in (select lines_hash from {{ this }})
    {%- endif %}

),

heaps as (

    {{ word_heaps("(select * from " ~ ref('all_examples') ~ " semi join versions using (dataset)) as examples") }}

),

final as (

    select
        heaps.dataset,
        versions.lines_hash,
        heaps.bucket,
        heaps.n_words
    from heaps
    inner join versions on heaps.dataset = versions.dataset

)

select
    dataset,
    lines_hash,
    bucket,
    n_words
from final
