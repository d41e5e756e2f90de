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

heaps as (

    {{ word_heaps('fresh') }}

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
