with examples as (

    select * from {{ ref('all_examples') }}

),

final as (

    select
        dataset,
        sha256(string_agg(split || fingerprint, '' order by fingerprint)) as lines_hash,
        count(*) as n_examples
    from examples
    group by dataset

)

select
    dataset,
    lines_hash,
    n_examples
from final
