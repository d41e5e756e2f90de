{% macro compare_versions(old_lines, new_lines, words) -%}
    {#- What came, went and moved from one version of a dataset to another, a row per dataset.

        old_lines, new_lines   relations of line_hashes, of one version of each dataset
        words                  relation with dataset, bucket, n_old and n_new

        Lines are compared by their keyed hashes. psi_most is the largest of the three that chance does not
        explain, or 0. -#}
    with old_lines as (

        select * from {{ old_lines }}

    ),

    new_lines as (

        select * from {{ new_lines }}

    ),

    came as (

        select
            dataset,
            prompt_hmac,
            count(*) as n
        from new_lines
        where fingerprint not in (select fingerprint from old_lines)
        group by all

    ),

    went as (

        select
            dataset,
            prompt_hmac,
            count(*) as n
        from old_lines
        where fingerprint not in (select fingerprint from new_lines)
        group by all

    ),

    changes as (

        {#- where a question stays and its answer does not, it is the same example, with another label -#}
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
                    list_filter(cuts.deciles, lambda cut: cut < both_lines.n_tokens)
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
        from ({{ population_stability(words) }})

    ),

    drifts as (

        select
            dataset,
            max(psi) filter (measure = 'labels') as psi_labels,
            max(psi) filter (measure = 'lengths') as psi_lengths,
            max(psi) filter (measure = 'words') as psi_words,
            {#- what chance explains is no drift, however small the sample is #}
            coalesce(max(psi) filter (psi > chance), 0) as psi_most
        from drift
        group by dataset

    )

    select
        sizes.dataset,
        sizes.n_old,
        coalesce(changes.n_added, 0) as n_added,
        coalesce(changes.n_removed, 0) as n_removed,
        coalesce(changes.n_relabelled, 0) as n_relabelled,
        drifts.psi_labels,
        drifts.psi_lengths,
        drifts.psi_words,
        drifts.psi_most
    from (select dataset, count(*) as n_old from old_lines group by dataset) as sizes
    left join changes on sizes.dataset = changes.dataset
    left join drifts on sizes.dataset = drifts.dataset
{%- endmacro %}
