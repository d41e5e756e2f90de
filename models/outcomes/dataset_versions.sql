{%- set small = 5 -%}
with last_versions as (

    {% if is_incremental() -%}
        select
            dataset,
            version,
            lines_hash
        from {{ this }}
        qualify row_number() over (partition by dataset order by version desc) = 1
    {%- else -%}
        select
            null::varchar as dataset,
            null::bigint as version,
            null::varchar as lines_hash
        where false
    {%- endif %}

),

fresh as (

    select
        versions.dataset,
        versions.lines_hash,
        versions.n_examples,
        coalesce(last_versions.version, 0) + 1 as version,
        last_versions.lines_hash as previous_hash
    from {{ ref('current_versions') }} as versions
    left join last_versions on versions.dataset = last_versions.dataset
    where
        versions.lines_hash is distinct from last_versions.lines_hash
        -- where this model is built alone, the lines of a new version are not there yet
        and versions.lines_hash in (select known.lines_hash from {{ ref('version_lines') }} as known)

),

lines_now as (

    select lines.*
    from {{ ref('version_lines') }} as lines
    inner join fresh on lines.dataset = fresh.dataset and lines.lines_hash = fresh.lines_hash
    where fresh.previous_hash is not null

),

lines_before as (

    select lines.*
    from {{ ref('version_lines') }} as lines
    inner join fresh on lines.dataset = fresh.dataset and lines.lines_hash = fresh.previous_hash

),

words as (

    select
        fresh.dataset,
        words.bucket,
        coalesce(sum(words.n_words) filter (words.lines_hash = fresh.previous_hash), 0)::bigint as n_old,
        coalesce(sum(words.n_words) filter (words.lines_hash = fresh.lines_hash), 0)::bigint as n_new
    from {{ ref('version_words') }} as words
    inner join fresh
        on
            words.dataset = fresh.dataset
            and words.lines_hash in (fresh.lines_hash, fresh.previous_hash)
    where fresh.previous_hash is not null
    group by all

),

compared as (

    {{ compare_versions('lines_before', 'lines_now', 'words') }}

),

final as (

    select
        fresh.dataset,
        fresh.version,
        fresh.lines_hash,
        fresh.n_examples,
        compared.n_added,
        compared.n_removed,
        compared.n_relabelled,
        compared.psi_labels,
        compared.psi_lengths,
        compared.psi_words,
        case
            when fresh.previous_hash is null then null
            when compared.psi_most >= 0.25 then 'major'
            when compared.psi_most >= 0.1 then 'moderate'
            else 'none'
        end as drift
    from fresh
    left join compared on fresh.dataset = compared.dataset

)

select
    dataset,
    version,
    lines_hash,
    '{{ run_started_at }}'::timestamptz as built_at,
    n_examples,
    -- of two counts with a known difference, one would give the other away
    case
        when n_added between 1 and {{ small - 1 }} or n_removed between 1 and {{ small - 1 }} then null
        else n_added
    end as n_added,
    case
        when n_added between 1 and {{ small - 1 }} or n_removed between 1 and {{ small - 1 }} then null
        else n_removed
    end as n_removed,
    case when n_relabelled between 1 and {{ small - 1 }} then null else n_relabelled end as n_relabelled,
    psi_labels,
    psi_lengths,
    psi_words,
    drift
from final
