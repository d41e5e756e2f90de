{% macro population_stability(bins) -%}
    {#- How far a distribution moved, by dataset: columns dataset, psi, chance.

        bins   relation with dataset, n_old and n_new, a row for each bin of each dataset

        psi is the population stability index, the sum over the bins of (new - old) ln(new / old), of shares
        (Siddiqi, Credit Risk Scorecards, 2006, who calls 0.1 a change and 0.25 a great one). Half a count is
        added to each bin, so that an empty one has a logarithm. chance is what it exceeds once in twenty
        times where nothing moved: it is distributed about as (1/n + 1/m) chi-squared with a degree of freedom
        less than bins (Yurdakul, Naranjo, J. Risk Model Validation 14(4), 2020), whose quantile is that of
        Wilson and Hilferty (1931). -#}
    select
        dataset,
        sum((share_new - share_old) * ln(share_new / share_old)) as psi,
        any_value(
            n_free * pow(1 - 2 / (9 * n_free) + 1.6449 * sqrt(2 / (9 * n_free)), 3)
            * (1 / total_old + 1 / total_new)
        ) as chance
    from (
        select
            bins.dataset,
            greatest(totals.n_bins - 1, 1)::double as n_free,
            greatest(totals.n_old, 1)::double as total_old,
            greatest(totals.n_new, 1)::double as total_new,
            (bins.n_old + 0.5) / (totals.n_old + 0.5 * totals.n_bins) as share_old,
            (bins.n_new + 0.5) / (totals.n_new + 0.5 * totals.n_bins) as share_new
        from {{ bins }} as bins
        inner join (
            select dataset, count(*) as n_bins, sum(n_old) as n_old, sum(n_new) as n_new
            from {{ bins }}
            group by dataset
        ) as totals on totals.dataset = bins.dataset
    )
    group by dataset
{%- endmacro %}
