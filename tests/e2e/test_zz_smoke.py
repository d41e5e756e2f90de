def test_x(project):
    d = project.dbt("build")
    print(d.stdout[-2500:])
    print(project.sealed_files(), project.query("select count(*) from vault.main.transactions_sealed"), project.query("from vault.main.build_summary"))
    import time; t=time.time(); project.dbt("build"); print(time.time()-t)
