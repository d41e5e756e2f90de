{% macro version_sql(dataset, examples, feedback, scrubbed, trained_lines, trained_words, trained_policies) -%}
    {#- What the submit hook compares a dataset's lines with those that its last job was trained on by, as
        SQL. The plugin fills `lines_now`, `words_now` and `policies_now` from the first three, and asks the
        others with the fingerprint of that job's lines as their parameter. -#}
    {%- set named = "(select '" ~ dataset ~ "' as dataset, * from " ~ examples ~ ") as examples" -%}
    {%- set lines_before = '(select * from ' ~ trained_lines ~ ' where dataset_fingerprint = $trained) as lines_before' -%}
    {%- set words_moved -%}
        (
            select
                '{{ dataset }}' as dataset,
                coalesce(words_before.n_words, 0) as n_old,
                coalesce(words_now.n_words, 0) as n_new
            from (select * from {{ trained_words }} where dataset_fingerprint = $trained) as words_before
            full outer join words_now on words_before.bucket = words_now.bucket
        )
    {%- endset -%}
    {%- set corrections -%}
        select count(*)
        from {{ feedback }} as corrections
        inner join {{ examples }} as examples on corrections.example_id = examples.example_id
        where
            corrections.outcome = 'merged'
            and examples.fingerprint not in (select fingerprint from {{ lines_before }})
    {%- endset -%}
    {{- return({
        'lines_now': line_hashes(named),
        'words_now': word_heaps(named),
        'policies_now': "select distinct '" ~ dataset ~ "' as dataset, policy_hash from " ~ scrubbed,
        'trained_lines': trained_lines,
        'trained_words': trained_words,
        'trained_policies': trained_policies,
        'changes': compare_versions(lines_before, 'lines_now', words_moved),
        'corrections': corrections if feedback is not none else none,
    }) -}}
{%- endmacro %}
