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

new_lines as (

    select lines.*
    from {{ ref('version_lines') }} as lines
    inner join fresh on lines.dataset = fresh.dataset and lines.lines_hash = fresh.lines_hash
    where fresh.previous_hash is not null

),

old_lines as (

    select lines.*
    from {{ ref('version_lines') }} as lines
    inner join fresh on lines.dataset = fresh.dataset and lines.lines_hash = fresh.previous_hash

),

came as (

    select
        dataset,
        prompt_hmac,
        count(*) as n
    from new_lines
    where fingerprint not in (select old_lines.fingerprint from old_lines)
    group by all

),

went as (

    select
        dataset,
        prompt_hmac,
        count(*) as n
    from old_lines
    where fingerprint not in (select new_lines.fingerprint from new_lines)
    group by all

),

changes as (

    -- where a question stays and its answer does not, it is the same example, with another label
    select
        coalesce(came.dataset, went.dataset) as dataset,
        sum(coalesce(came.n, 0) - least(coalesce(came.n, 0), coalesce(went.n, 0)))::bigint as n_added,
        sum(coalesce(went.n, 0) - least(coalesce(came.n, 0), coalesce(went.n, 0)))::bigint as n_removed,
        sum(least(coalesce(came.n, 0), coalesce(went.n, 0)))::bigint as n_relabelled
    from came
    full outer join went on came.dataset = went.dataset and came.prompt_hmac = went.prompt_hmac
    group by all

),

labels as (

    select
        dataset,
        label_hmac,
        count(*) filter (not is_new) as n_old,
        count(*) filter (is_new) as n_new
    from (
        select
            dataset,
            label_hmac,
            true as is_new
        from new_lines
        union all
        select
            dataset,
            label_hmac,
            false as is_new
        from old_lines
    ) as both_lines
    group by all

),

cuts as (

    select
        dataset,
        quantile_disc(n_tokens, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]) as deciles
    from old_lines
    group by dataset

),

lengths as (

    select
        dataset,
        bin,
        count(*) filter (not is_new) as n_old,
        count(*) filter (is_new) as n_new
    from (
        select
            both_lines.dataset,
            both_lines.is_new,
            len(
                list_filter(cuts.deciles, lambda cut: cut < both_lines.n_tokens)  -- noqa: RF02
            ) as bin
        from (
            select
                dataset,
                n_tokens,
                true as is_new
            from new_lines
            union all
            select
                dataset,
                n_tokens,
                false as is_new
            from old_lines
        ) as both_lines
        inner join cuts on both_lines.dataset = cuts.dataset
    ) as binned
    group by all

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

drift as (

    select
        'labels' as measure,
        *
    from ({{ population_stability('labels') }})
    union all
    select
        'lengths' as measure,
        *
    from ({{ population_stability('lengths') }})
    union all
    select
        'words' as measure,
        *
    from ({{ population_stability('words') }})

),

drifts as (

    select
        dataset,
        max(psi) filter (measure = 'labels') as psi_labels,
        max(psi) filter (measure = 'lengths') as psi_lengths,
        max(psi) filter (measure = 'words') as psi_words,
        -- what chance explains is no drift, however small the sample is
        coalesce(max(psi) filter (psi > chance), 0) as psi_most
    from drift
    group by dataset

),

final as (

    select
        fresh.dataset,
        fresh.version,
        fresh.lines_hash,
        fresh.n_examples,
        case when fresh.previous_hash is not null then coalesce(changes.n_added, 0) end as n_added,
        case when fresh.previous_hash is not null then coalesce(changes.n_removed, 0) end as n_removed,
        case when fresh.previous_hash is not null then coalesce(changes.n_relabelled, 0) end
            as n_relabelled,
        drifts.psi_labels,
        drifts.psi_lengths,
        drifts.psi_words,
        case
            when fresh.previous_hash is null then null
            when drifts.psi_most >= 0.25 then 'major'
            when drifts.psi_most >= 0.1 then 'moderate'
            else 'none'
        end as drift
    from fresh
    left join changes on fresh.dataset = changes.dataset
    left join drifts on fresh.dataset = drifts.dataset

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
