{% macro submit(job='job') -%}
    {#- After-commit hook of a `*_sealed` model: submits the job of its sealed files through the
        ledger, once. Nothing is submitted in an --empty run. -#}
    {%- do after_commit_hook('submit', job) -%}
{%- endmacro %}
