{% macro stage_counts(dataset) -%}
    {#- What each stage of a dataset did to its rows: columns dataset, step, state, detail, n_rows. -#}
    select
        '{{ dataset }}' as dataset, 2 as step, 'sampled' as state,
        format(
            '{:,} kept records were not drawn',
            ({{ kept_count(dataset_relation(dataset, 'ingested')) }} - count(*))::bigint
        ) as detail,
        count(*) as n_rows
    from {{ dataset_relation(dataset, 'sampled') }}
    union all
    select '{{ dataset }}', 3, 'rendered', null, count(*)
    from {{ dataset_relation(dataset, 'rendered') }}
    union all
    select
        '{{ dataset }}', 4, 'scrubbed',
        format('{:,} identifiers replaced', coalesce(sum(n_masked), 0)::bigint), count(*)
    from {{ dataset_relation(dataset, 'scrubbed') }}
    union all
    select
        '{{ dataset }}', 5, 'unreadable dropped', 'rows with a text that could not be read',
        count(*) filter (n_unreadable > 0)
    from {{ dataset_relation(dataset, 'scrubbed') }}
    union all
    select
        '{{ dataset }}', 5, 'shortened',
        format('{:,} tokens cut to fit the budget', sum(n_cut_tokens)::bigint), count(*)
    from {{ dataset_relation(dataset, 'scrubbed') }}
    where n_cut_tokens > 0
    having count(*) > 0
    {%- if dataset in built_datasets('feedback') %}
    union all
    select '{{ dataset }}', 5, 'feedback ' || outcome, reason, count(*)
    from {{ dataset_relation(dataset, 'feedback') }}
    group by outcome, reason
    {%- endif %}
    union all
    select
        '{{ dataset }}', 6, 'duplicates dropped', 'conversations that agree in every word',
        (select count(*) from {{ dataset_relation(dataset, 'scrubbed') }} where n_unreadable = 0) - count(*)
    from {{ dataset_relation(dataset, 'examples') }}
    union all
    select
        '{{ dataset }}', 7, split || ' examples',
        format('{:,} tokens', coalesce(sum(n_tokens), 0)::bigint), count(*)
    from {{ dataset_relation(dataset, 'examples') }}
    group by split
    union all
    select
        '{{ dataset }}', 8, 'planted recall',
        format(
            '{:,} entities, the lowest recall {:.3f} ({})',
            count(distinct entity), min(recall), arg_min(entity, recall)
        ),
        sum(n_planted)::bigint
    from {{ dataset_relation(dataset, 'pii_recall') }}
    having count(*) > 0
    union all
    select
        '{{ dataset }}', 9, 'checked',
        format('{} of {} expectations passed', count(*) filter (is_success), count(*)),
        (select count(*) from {{ dataset_relation(dataset, 'examples') }})
    from {{ dataset_relation(dataset, 'checked') }}
    union all
    select '{{ dataset }}', 10, 'sealed', null, count(*)
    from {{ dataset_relation(dataset, 'sealed') }}
    union all
    select
        dataset, 11, 'job ' || lower(coalesce(outcome, state)),
        concat_ws(
            ', ',
            backend,
            base_model,
            format('{:,} tokens an epoch', n_training_tokens),
            coalesce(format('about {:.2f} {}', estimated_cost, currency), 'price unknown'),
            'code ' || error_code,
            parked_reason
        ),
        n_examples
    from {{ ref('fine_tune_jobs') }}
    where
        dataset_fingerprint in (select dataset_fingerprint from {{ dataset_relation(dataset, 'checked') }})
    union all
    select
        decisions.dataset, 11, 'job not submitted',
        arg_max(decisions.reason, decisions.decided_at), max(jobs.n_examples)
    from {{ ref('retrain_decisions') }} as decisions
    inner join {{ ref('fine_tune_jobs') }} as jobs on decisions.job_key = jobs.job_key
    where
        decisions.dataset = '{{ dataset }}'
        and not decisions.is_retrained
        and decisions.dataset_fingerprint in (
            select dataset_fingerprint from {{ dataset_relation(dataset, 'checked') }}
        )
        {#- lines that went back to those of a job have one -#}
        and decisions.dataset_fingerprint not in (select dataset_fingerprint from {{ ref('fine_tune_jobs') }})
    group by decisions.dataset
{%- endmacro %}
