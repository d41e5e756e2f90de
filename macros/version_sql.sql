{% macro version_sql(dataset) -%}
    {#- What the submit hook compares a dataset's lines with those that its last job was trained on by, as
        SQL. The plugin fills `lines_now` and `words_now` from the first two, and asks the others with the
        fingerprint of that job's lines as their parameter. -#}
    {%- set examples = dataset_relation(dataset, 'examples') -%}
    {%- set named = "(select '" ~ dataset ~ "' as dataset, * from " ~ examples ~ ") as examples" -%}
    {%- set lines = api.Relation.create(this.database, this.schema, 'trained_lines') | string -%}
    {%- set words = api.Relation.create(this.database, this.schema, 'trained_words') | string -%}
    {%- set trained_lines -%}
        (select * from {{ lines }} where dataset_fingerprint = $trained) as trained_lines
    {%- endset -%}
    {%- set moved_words -%}
        (
            select
                coalesce(before.dataset, now.dataset) as dataset,
                coalesce(before.n_words, 0) as n_old,
                coalesce(now.n_words, 0) as n_new
            from (select * from {{ words }} where dataset_fingerprint = $trained) as before
            full outer join words_now as now using (bucket)
        )
    {%- endset -%}
    {%- set feedback = 'model.' ~ project_name ~ '.' ~ dataset ~ '_feedback' -%}
    {{- return({
        'lines_now': line_hashes(named),
        'words_now': word_heaps(named),
        'trained_lines': lines,
        'trained_words': words,
        'changes': compare_versions(trained_lines, 'lines_now', moved_words),
        'corrections':
            "select count(*) from " ~ dataset_relation(dataset, 'feedback') ~ " as corrections inner join "
            ~ examples ~ " as examples using (example_id) where corrections.outcome = 'merged'"
            ~ " and examples.fingerprint not in (select fingerprint from " ~ trained_lines ~ ")"
            if feedback in graph.nodes else none,
    }) -}}
{%- endmacro %}
